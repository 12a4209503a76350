// SPDX-License-Identifier: Apache-2.0
//
// The figures of RFC 8448 section 3 (a TLS 1.3 handshake with TLS_AES_128_GCM_SHA256 and X25519)
// through the project's own primitives: key exchange, HKDF, record numbers and AEAD. Sluice's
// labels have another prefix than TLS's, so the info of an expansion is put together here.
#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "crypto/hkdf.h"
#include "support.h"
#include "wire/record_packet.h"

namespace sluice::crypto {
namespace {

using test::Buffer;
using test::from_hex;
using test::to_hex;

using Secret32 = std::array<uint8_t, kSha256Size>;

// HKDF-Expand-Label of RFC 8446 section 7.1.
Buffer expand(const Secret32& secret, std::string_view label, const Buffer& context, size_t size) {
  const std::string full = "tls13 " + std::string(label);
  Buffer info{static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size),
              static_cast<uint8_t>(full.size())};
  info.insert(info.end(), full.begin(), full.end());
  info.push_back(static_cast<uint8_t>(context.size()));
  info.insert(info.end(), context.begin(), context.end());
  Buffer out(size);
  hkdf_expand(test::primitives(), secret, info, out);
  return out;
}

Secret32 secret_of(const Buffer& bytes) {
  Secret32 out;
  std::copy_n(bytes.begin(), out.size(), out.begin());
  return out;
}

Secret32 extract(const Buffer& salt, const Buffer& input) {
  Secret32 out;
  hkdf_extract(test::primitives(), salt, input, out);
  return out;
}

// SHA-256 of nothing, the context of "derived".
Buffer empty_hash() {
  return from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

constexpr char kShared[] = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d";
constexpr char kHandshakeSecret[] =
    "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac";
constexpr char kHelloHash[] = "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8";

TEST(Rfc8448, key_exchange) {
  const char* const kPrivate[] = {
      "49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005",
      "b1580eeadf6dd589b8ef4f2d5652578cc810e9980191ec8d058308cea216a21e"};
  const char* const kPublic[] = {
      "99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c",
      "c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f"};
  for (int side = 0; side < 2; ++side) {
    Secret32 shared;
    ASSERT_TRUE(test::primitives().x25519_shared(
        from_hex(kPrivate[side]).data(), from_hex(kPublic[1 - side]).data(), shared.data()));
    EXPECT_EQ(to_hex(shared), kShared);
  }
}

TEST(Rfc8448, key_schedule) {
  const Secret32 early = extract(Buffer(32), Buffer(32));
  EXPECT_EQ(to_hex(early), "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
  const Buffer derived = expand(early, "derived", empty_hash(), 32);
  EXPECT_EQ(to_hex(derived), "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");
  const Secret32 handshake = extract(derived, from_hex(kShared));
  EXPECT_EQ(to_hex(handshake), kHandshakeSecret);
  EXPECT_EQ(to_hex(expand(handshake, "c hs traffic", from_hex(kHelloHash), 32)),
            "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
  const Buffer server = expand(handshake, "s hs traffic", from_hex(kHelloHash), 32);
  EXPECT_EQ(to_hex(server), "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
  EXPECT_EQ(to_hex(expand(secret_of(server), "key", {}, 16)), "3fce516009c21727d0f2e4e86ee403bc");
  EXPECT_EQ(to_hex(expand(secret_of(server), "iv", {}, 12)), "5d313eb2671276ee13000b30");
}

// A whole record: its number is the nonce's, its framing that of record mode's.
struct Record {
  const char* key;
  const char* iv;
  uint64_t number;
  const char* bytes;
};

TEST(Rfc8448, application_data_records) {
  const Record kRecords[] = {
      {"17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9", 0,
       "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b"
       "9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4"},
      {"9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984", 1,
       "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e3"
       "0efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d"}};
  Buffer plain;
  for (uint8_t i = 0; i < 50; ++i) plain.push_back(i);
  plain.push_back(wire::kTlsApplicationData);
  for (const Record& record : kRecords) {
    const Buffer bytes = from_hex(record.bytes);
    const Buffer header(bytes.begin(), bytes.begin() + wire::kTlsHeaderSize);
    const Buffer sealed(bytes.begin() + wire::kTlsHeaderSize, bytes.end());
    EXPECT_EQ(to_hex(header), "1703030043");
    for (AeadBackend* backend : test::backends()) {
      SCOPED_TRACE(backend->name());
      AeadKey key;
      ASSERT_TRUE(test::expand(backend, AeadAlgorithm::kAes128Gcm, from_hex(record.key),
                               from_hex(record.iv), &key));
      EXPECT_EQ(to_hex(test::seal(backend, key, record.number, header, plain)), to_hex(sealed));
      Buffer opened;
      ASSERT_TRUE(test::open(backend, key, record.number, header, sealed, &opened));
      EXPECT_EQ(to_hex(opened), to_hex(plain));
      EXPECT_FALSE(test::open(backend, key, record.number + 1, header, sealed, &opened));
    }
  }
}

// The application keys of the same handshake follow from its client's secret.
TEST(Rfc8448, application_keys) {
  const Secret32 client =
      secret_of(from_hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"));
  EXPECT_EQ(to_hex(expand(client, "key", {}, 16)), "17422dda596ed5d9acd890e3c63f5051");
  EXPECT_EQ(to_hex(expand(client, "iv", {}, 12)), "5b78923dee08579033e523d9");
}

}  // namespace
}  // namespace sluice::crypto
