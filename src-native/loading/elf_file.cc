#include "loading/elf_file.h"

#ifdef __linux__
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <utility>
#endif

namespace openssl_async {

#ifdef __linux__

namespace {

// The file of this very code is one of this machine's.
#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#elif defined(__i386__)
constexpr uint16_t kMachine = EM_386;
#elif defined(__arm__)
constexpr uint16_t kMachine = EM_ARM;
#elif defined(__powerpc64__)
constexpr uint16_t kMachine = EM_PPC64;
#elif defined(__s390x__)
constexpr uint16_t kMachine = EM_S390;
#elif defined(__riscv)
constexpr uint16_t kMachine = EM_RISCV;
#else
constexpr uint16_t kMachine = EM_NONE;  // not known: the dynamic linker has to tell
#endif
constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);
using Dynamic = ElfW(Dyn);

class Image {
 public:
  explicit Image(std::vector<char> bytes) : bytes_(std::move(bytes)) {}

  uint64_t size() const { return bytes_.size(); }
  template <typename T>
  bool Get(uint64_t offset, T* value) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return false;
    memcpy(value, bytes_.data() + offset, sizeof(T));
    return true;
  }
  std::string Text(uint64_t offset) const {
    if (offset >= bytes_.size()) return "";
    const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
    return std::string(begin, std::find(begin, bytes_.end(), '\0'));
  }
  template <typename T, typename Visit>
  void ForEach(const Section& section, Visit visit) const {
    T entry = {};
    for (uint64_t at = 0; at + sizeof(T) <= section.sh_size && Get(section.sh_offset + at, &entry); at += sizeof(T)) {
      visit(entry);
    }
  }

 private:
  std::vector<char> bytes_;
};

}  // namespace

ElfFile::Kind ElfFile::Read(const std::string& path) {
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = stream.tellg();
  std::vector<char> bytes(size > 0 ? static_cast<size_t>(size) : 0);
  stream.seekg(0);
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) return Kind::kOther;
  const Image image(std::move(bytes));
  Header header = {};
  if (!image.Get(0, &header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return Kind::kOther;
  if (header.e_ident[EI_CLASS] != kClass || (kMachine != EM_NONE && header.e_machine != kMachine)) {
    return Kind::kOtherMachine;
  }
  if (header.e_type != ET_DYN) return Kind::kOther;
  // The dynamic linker maps what a file that was cut short lacks, and crashes.
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Segment segment = {};
    if (!image.Get(header.e_phoff + i * sizeof(Segment), &segment)) return Kind::kOther;
    if (segment.p_filesz > image.size() || segment.p_offset > image.size() - segment.p_filesz) return Kind::kOther;
  }
  std::vector<Section> sections(header.e_shnum);
  for (size_t i = 0; i < sections.size(); ++i) {
    if (!image.Get(header.e_shoff + i * sizeof(Section), &sections[i])) return Kind::kThisMachine;
  }
  for (const Section& section : sections) {
    if (section.sh_link >= sections.size()) continue;
    const uint64_t strings = sections[section.sh_link].sh_offset;
    if (section.sh_type == SHT_DYNAMIC) {
      image.ForEach<Dynamic>(section, [&](const Dynamic& entry) {
        if (entry.d_tag == DT_NEEDED) needed_.push_back(image.Text(strings + entry.d_un.d_val));
        const bool is_path = entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH;
        if (is_path) run_path_ = image.Text(strings + entry.d_un.d_val);
      });
    } else if (section.sh_type == SHT_DYNSYM) {
      image.ForEach<Symbol>(section, [&](const Symbol& symbol) {
        const bool is_wanted = symbol.st_shndx == SHN_UNDEF && ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL;
        if (is_wanted && symbol.st_name != 0) undefined_.push_back(image.Text(strings + symbol.st_name));
      });
    }
  }
  return Kind::kThisMachine;
}

#else

ElfFile::Kind ElfFile::Read(const std::string&) { return Kind::kOther; }

#endif

}  // namespace openssl_async
