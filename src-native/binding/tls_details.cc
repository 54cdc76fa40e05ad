// What the handshake of a connection has agreed on; undefined when the connection or the detail is not there.
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"
#include "tls/client_connection.h"
#include "tls/server_connection.h"
#include "tls/session_details.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

ConnectionView ConnectionOf(Info info) { return Environment::From(info).tls().hub()->Look(ToUint32(info[0])); }

SSL* SslOf(const ConnectionView& connection) { return connection ? connection->ssl() : nullptr; }

Napi::Value ToBuffer(Napi::Env env, const std::string& bytes) {
  if (bytes.empty()) return env.Undefined();
  return Napi::Value(env, Napi::Buffer<char>::Copy(env, bytes.data(), bytes.size()));
}

// A function of (id) that gives bytes.
template <std::string (*get)(SSL*)>
Napi::Value Bytes(Info info) {
  const ConnectionView connection = ConnectionOf(info);
  SSL* const ssl = SslOf(connection);
  return ssl == nullptr ? info.Env().Undefined() : ToBuffer(info.Env(), get(ssl));
}

template <bool is_peers>
std::string Finished(SSL* ssl) {
  return FinishedOf(ssl, is_peers);
}

// (id): [server's name, protocol, verify result, whether a session was resumed, place, nanoseconds,
// pauses]
Napi::Value Summary(Info info) {
  const Napi::Env env = info.Env();
  const ConnectionView connection = ConnectionOf(info);
  SSL* const ssl = SslOf(connection);
  if (ssl == nullptr) return env.Undefined();
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  Napi::Array parts = Napi::Array::New(env, 8);
  parts.Set(0U, name == nullptr ? "" : name);
  parts.Set(1U, ToByteText(env, ProtocolOf(ssl)));
  parts.Set(2U, static_cast<double>(connection->verify_result()));
  parts.Set(3U, SSL_session_reused(ssl) == 1);
  parts.Set(4U, static_cast<int32_t>(connection->handshake_place()));
  parts.Set(5U, static_cast<double>(connection->handshake_ns()));
  parts.Set(6U, ToNumber(env, connection->pauses()));
  parts.Set(7U, SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_ACCEPTED);
  return parts;
}

// A function of (id) that gives certificates.
template <std::vector<std::string> (*get)(SSL*)>
Napi::Value Certificates(Info info) {
  const ConnectionView connection = ConnectionOf(info);
  SSL* const ssl = SslOf(connection);
  const auto certificates = ssl == nullptr ? std::vector<std::string>() : get(ssl);
  return ToArray(info.Env(), certificates, [&](const std::string& der) { return ToBuffer(info.Env(), der); });
}

// (id, context; undefined for the one that the settings choose): [its certificate, the certificate's issuer]
Napi::Value CertificatesOf(Info info) {
  const ConnectionView connection = ConnectionOf(info);
  const ServerConnection* const server = connection ? connection->server() : nullptr;
  const auto* const given = ToOptionalHandle<TlsContextHandle>(info[1]);
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  if (given == nullptr && server == nullptr) return both;
  const TlsContext& context = *(given != nullptr ? *given : server->settings().Find(server->hello().server_name));
  const auto to_js = [&](X509* certificate) {
    return certificate == nullptr ? info.Env().Undefined() : ToBuffer(info.Env(), ToDer(certificate));
  };
  both.Set(0U, to_js(context.certificate()));
  both.Set(1U, to_js(context.FindIssuer().get()));
  return both;
}

// (id): the server's answer for its certificate
Napi::Value Status(Info info) {
  const ConnectionView connection = ConnectionOf(info);
  const ClientConnection* const client = connection ? connection->client() : nullptr;
  return client == nullptr ? info.Env().Undefined() : ToBuffer(info.Env(), client->status());
}

// (id): [type, name or empty, bits]
Napi::Value EphemeralKeyOfConnection(Info info) {
  const ConnectionView connection = ConnectionOf(info);
  SSL* const ssl = SslOf(connection);
  if (ssl == nullptr) return info.Env().Undefined();
  const EphemeralKey key = EphemeralKeyOf(ssl);
  if (key.type.empty()) return info.Env().Undefined();
  Napi::Array parts = Napi::Array::New(info.Env(), 3);
  parts.Set(0U, key.type);
  parts.Set(1U, key.name);
  parts.Set(2U, key.bits);
  return parts;
}

// (the result of a verification): OpenSSL's words for it
Napi::Value VerifyReason(Info info) {
  return Napi::String::New(info.Env(), X509_verify_cert_error_string(ToInt32(info[0])));
}

// (id): [name, standard name, version]
Napi::Value Cipher(Info info) {
  const ConnectionView connection = ConnectionOf(info);
  SSL* const ssl = SslOf(connection);
  if (ssl == nullptr) return info.Env().Undefined();
  const CipherNames names = CipherOf(ssl);
  if (names.name.empty()) return info.Env().Undefined();
  return ToJs(info.Env(), {names.name, names.standard_name, names.version});
}

// (id)
Napi::Value Version(Info info) {
  const ConnectionView connection = ConnectionOf(info);
  SSL* const ssl = SslOf(connection);
  return ssl == nullptr ? info.Env().Undefined() : Napi::String::New(info.Env(), SSL_get_version(ssl));
}

// (id)
Napi::Value SharedAlgorithms(Info info) {
  const ConnectionView connection = ConnectionOf(info);
  SSL* const ssl = SslOf(connection);
  return ToJs(info.Env(), ssl == nullptr ? std::vector<std::string>() : SharedSignatureAlgorithms(ssl));
}

// (id, size, label, context or undefined)
Napi::Value KeyingMaterial(Info info) {
  const ConnectionView connection = ConnectionOf(info);
  SSL* const ssl = SslOf(connection);
  if (ssl == nullptr) return info.Env().Undefined();
  const ByteView context = ToView(info[3]);
  const std::string bytes(reinterpret_cast<const char*>(context.data), context.size);
  return ToBuffer(info.Env(), ExportKeyingMaterial(ssl, ToUint32(info[1]), ToText(info[2]), bytes, context.present()));
}

// (id, size): whether OpenSSL takes it
Napi::Value SetMaxFragment(Info info) {
  const ConnectionView connection = ConnectionOf(info);
  SSL* const ssl = SslOf(connection);
  return Napi::Boolean::New(info.Env(), ssl != nullptr && SSL_set_max_send_fragment(ssl, ToUint32(info[1])) == 1);
}

}  // namespace

void AddTlsDetailExports(Exports& tls) {
  tls.Add("summary", &Summary);
  tls.Add("peerCertificates", &Certificates<&PeerCertificates>);
  tls.Add("sentCertificates", &Certificates<&SentCertificates>);
  tls.Add("certificates", &CertificatesOf);
  tls.Add("certificate", &Bytes<&OwnCertificate>);
  tls.Add("session", &Bytes<&SessionOf>);
  tls.Add("ticket", &Bytes<&TicketOf>);
  tls.Add("finished", &Bytes<&Finished<false>>);
  tls.Add("peerFinished", &Bytes<&Finished<true>>);
  tls.Add("cipher", &Cipher);
  tls.Add("status", &Status);
  tls.Add("ephemeralKey", &EphemeralKeyOfConnection);
  tls.Add("verifyReason", &VerifyReason);
  tls.Add("version", &Version);
  tls.Add("sharedSignatureAlgorithms", &SharedAlgorithms);
  tls.Add("keyingMaterial", &KeyingMaterial);
  tls.Add("setMaxFragment", &SetMaxFragment);
}

}  // namespace openssl_async
