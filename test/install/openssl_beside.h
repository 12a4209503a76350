// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TEST_INSTALL_OPENSSL_BESIDE_H_
#define SLUICE_TEST_INSTALL_OPENSSL_BESIDE_H_

#include <dlfcn.h>
#include <link.h>
#include <openssl/evp.h>

#include <cstdio>
#include <string>
#include <vector>

// What a program that uses OpenSSL 3 itself does beside Sluice, and how it sees the two apart.

using Bytes = std::vector<uint8_t>;

inline Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// Test case 4 of the GCM specification: 60 bytes of plaintext, 20 bytes of additional data.
struct GcmCase {
  Bytes key, iv, aad, plain, sealed, tag;
};

inline const GcmCase& gcm_case() {
  static const GcmCase known{
      .key = from_hex("feffe9928665731c6d6a8f9467308308"),
      .iv = from_hex("cafebabefacedbaddecaf888"),
      .aad = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
      .plain = from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"),
      .sealed = from_hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                         "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"),
      .tag = from_hex("5bc94fbc3221a5db94fae95ae7121a47")};
  return known;
}

inline bool openssl_seals() {
  const auto& [key, iv, aad, plain, sealed, tag] = gcm_case();
  Bytes out(plain.size());
  Bytes out_tag(16);
  int length = 0;
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  const bool ok =
      EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, key.data(), iv.data()) == 1 &&
      EVP_EncryptUpdate(context, nullptr, &length, aad.data(), static_cast<int>(aad.size())) == 1 &&
      EVP_EncryptUpdate(context, out.data(), &length, plain.data(),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context, out.data() + length, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out_tag.data()) == 1;
  EVP_CIPHER_CTX_free(context);
  return ok && out == sealed && out_tag == tag;
}

inline bool openssl_hashes() {
  const Bytes expected =
      from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Bytes out(32);
  unsigned length = 0;
  return EVP_Digest("abc", 3, out.data(), &length, EVP_sha256(), nullptr) == 1 && out == expected;
}

// Where the program would find a name if it asked for it now; empty when nowhere.
inline std::string home_of(const char* name) {
  void* address = dlsym(RTLD_DEFAULT, name);
  Dl_info info;
  if (address == nullptr || dladdr(address, &info) == 0) return "";
  return info.dli_fname;
}

inline std::vector<std::string> loaded_libraries() {
  std::vector<std::string> names;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        static_cast<std::vector<std::string>*>(out)->emplace_back(info->dlpi_name);
        return 0;
      },
      &names);
  return names;
}

inline bool contains(const std::vector<std::string>& names, const std::string& part) {
  for (const std::string& name : names) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

// Both libraries are in the process, and only OpenSSL is in the global scope. The second name is
// one that BoringSSL has and OpenSSL has not.
inline bool scopes_are_apart() {
  const std::vector<std::string> names = loaded_libraries();
  return contains(names, "libcrypto.so.3") && contains(names, "libsluice-boringssl") &&
         home_of("EVP_EncryptInit_ex").find("libcrypto.so.3") != std::string::npos &&
         home_of("EVP_aead_aes_128_gcm").empty();
}

inline bool say(const char* what, bool ok) {
  if (!ok) std::printf("failed: %s\n", what);
  return ok;
}

#endif  // SLUICE_TEST_INSTALL_OPENSSL_BESIDE_H_
