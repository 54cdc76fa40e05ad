// Contexts of TLS. JavaScript gives options as an object of its own; see NativeTlsContextOptions.
#include "binding/convert.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"
#include "tls/certificate_compression.h"
#include "tls/context.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

std::string ToBytes(Napi::Value value) {
  const ByteView view = ToView(value);
  return view.size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(view.data), view.size);
}

std::vector<std::string> ToList(Napi::Value value) {
  std::vector<std::string> list;
  const Napi::Array array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) list.push_back(ToBytes(array.Get(i)));
  return list;
}

std::vector<int> ToNumbers(Napi::Value value) {
  std::vector<int> numbers;
  const Napi::Array array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) numbers.push_back(ToInt32(array.Get(i)));
  return numbers;
}

// [bytes, passphrase or undefined] for each.
std::vector<PemKey> ToKeys(Napi::Value value) {
  std::vector<PemKey> keys;
  const Napi::Array array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Array pair = array.Get(i).As<Napi::Array>();
    const Napi::Value passphrase = pair.Get(1U);
    keys.push_back({SecretText(ToBytes(pair.Get(0U))), SecretText(ToText(passphrase)), passphrase.IsString()});
  }
  return keys;
}

// [key, whether it may pause, backend] for each.
std::vector<GivenKey> ToGivenKeys(Napi::Value value) {
  std::vector<GivenKey> keys;
  const Napi::Array array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Array pair = array.Get(i).As<Napi::Array>();
    keys.push_back({ToPointer<KeyHandle>(pair.Get(0U)), ToBool(pair.Get(1U)), ToText(pair.Get(2U))});
  }
  return keys;
}

ContextOptions ToOptions(Napi::Object object) {
  ContextOptions options;
  options.certificates = ToList(object.Get("certificates"));
  options.keys = ToKeys(object.Get("keys"));
  options.given_keys = ToGivenKeys(object.Get("givenKeys"));
  for (PemKey& pfx : ToKeys(object.Get("pfx"))) options.pfx.push_back({std::move(pfx.pem), std::move(pfx.passphrase)});
  options.authorities = ToList(object.Get("authorities"));
  if (const auto* const roots = ToOptionalHandle<TrustedRootsHandle>(object.Get("roots"))) options.roots = *roots;
  options.revocations = ToList(object.Get("revocations"));
  options.ciphers = ToText(object.Get("ciphers"));
  options.suites = ToText(object.Get("suites"));
  options.has_suites = object.Get("suites").IsString();
  options.curves = ToText(object.Get("curves"));
  options.signature_algorithms = ToText(object.Get("signatureAlgorithms"));
  options.dh_parameters = ToText(object.Get("dhParameters"));
  options.min_version = ToInt32(object.Get("minVersion"));
  options.max_version = ToInt32(object.Get("maxVersion"));
  options.options = ToUint64(object.Get("options"));
  options.session_timeout = ToInt32(object.Get("sessionTimeout"));
  options.allow_partial_chain = ToBool(object.Get("allowPartialChain"));
  options.compressions = ToNumbers(object.Get("compressions"));
  options.ticket_keys = SecretText(ToBytes(object.Get("ticketKeys")));
  return options;
}

Napi::Value WithoutReason(Info info) { return Napi::String::New(info.Env(), WithoutTlsReason()); }

Napi::Value Compressions(Info info) {
  return ToArray(info.Env(), KnownCompressions(), [&](int number) { return Napi::Number::New(info.Env(), number); });
}

// (options)
Napi::Value CreateContext(Info info) {
  Result<std::shared_ptr<TlsContext>> context = TlsContext::Create(ToOptions(info[0].As<Napi::Object>()));
  if (!context.ok()) return ToJs(info.Env(), context.error());
  return NewHandle<TlsContextHandle>(info.Env(), std::move(context.value()));
}

// (context)
Napi::Value TicketKeysOf(Info info) {
  TicketKeys::Keys keys = ToObject<TlsContextHandle>(info[0]).ticket_keys().Get();
  const auto copy = Napi::Buffer<unsigned char>::Copy(info.Env(), keys.data(), keys.size());
  Wipe(keys.data(), keys.size());
  return Napi::Value(info.Env(), copy);
}

// (context, 48 bytes)
Napi::Value SetTicketKeys(Info info) {
  const ByteView keys = ToView(info[1]);
  if (keys.size == TicketKeys::kBytes) ToObject<TlsContextHandle>(info[0]).ticket_keys().Set(keys.data);
  return info.Env().Undefined();
}

}  // namespace

void AddTlsContextExports(Exports& tls) {
  tls.Add("withoutReason", &WithoutReason);
  tls.Add("compressions", &Compressions);
  tls.Add("createContext", &CreateContext);
  tls.Add("ticketKeys", &TicketKeysOf);
  tls.Add("setTicketKeys", &SetTicketKeys);
}

}  // namespace openssl_async
