// The addon's own reading of ELF files, for comparison with the command-line tool's.
//
//   read(path): { needed: string[]; undefinedSymbols: string[] } | undefined
#include <napi.h>

#include <string>
#include <vector>

#include "modules/elf_file.h"

namespace {

using openssl_async::ElfFile;

Napi::Array ToArray(Napi::Env env, const std::vector<std::string>& texts) {
  Napi::Array array = Napi::Array::New(env, texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    napi_value text = nullptr;
    NAPI_THROW_IF_FAILED(env, napi_create_string_latin1(env, texts[i].data(), texts[i].size(), &text), array);
    array.Set(static_cast<uint32_t>(i), text);
  }
  return array;
}

// Undefined for files that the addon does not give to the dynamic linker.
Napi::Value Read(const Napi::CallbackInfo& info) {
  ElfFile file;
  if (file.Read(info[0].As<Napi::String>()) != ElfFile::Kind::kThisMachine) return info.Env().Undefined();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("needed", ToArray(info.Env(), file.needed()));
  object.Set("undefinedSymbols", ToArray(info.Env(), file.undefined()));
  return object;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("read", Napi::Function::New<Read>(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(elf_reader, Init)
