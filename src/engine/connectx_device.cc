// SPDX-License-Identifier: Apache-2.0
#include "engine/connectx_device.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#ifdef SLUICE_HAS_MLX5DV
#include <dlfcn.h>
#include <infiniband/mlx5dv.h>
#include <infiniband/verbs.h>

#include <filesystem>
#include <system_error>
#include <utility>
#endif

namespace sluice::engine {

#ifdef SLUICE_HAS_MLX5DV
namespace {

// What is needed of rdma-core's two libraries.
struct Rdma {
  decltype(&::ibv_get_device_list) get_device_list = nullptr;
  decltype(&::ibv_free_device_list) free_device_list = nullptr;
  decltype(&::ibv_close_device) close_device = nullptr;
  decltype(&::ibv_alloc_pd) alloc_pd = nullptr;
  decltype(&::ibv_dealloc_pd) dealloc_pd = nullptr;
  decltype(&::mlx5dv_is_supported) is_supported = nullptr;
  decltype(&::mlx5dv_open_device) open_device = nullptr;
  decltype(&::mlx5dv_init_obj) init_obj = nullptr;
  decltype(&::mlx5dv_devx_obj_create) obj_create = nullptr;
  decltype(&::mlx5dv_devx_obj_destroy) obj_destroy = nullptr;
  decltype(&::mlx5dv_devx_general_cmd) general_cmd = nullptr;
};

template <class Function>
bool find(void* library, const char* name, Function* out) {
  *out = reinterpret_cast<Function>(dlsym(library, name));
  return *out != nullptr;
}

// Loaded once and kept; the error is the same each time.
const absl::StatusOr<Rdma>& rdma() {
  static const auto* const loaded = new absl::StatusOr<Rdma>([]() -> absl::StatusOr<Rdma> {
    void* const verbs = dlopen("libibverbs.so.1", RTLD_NOW | RTLD_LOCAL);
    void* const mlx5 = verbs == nullptr ? nullptr : dlopen("libmlx5.so.1", RTLD_NOW | RTLD_LOCAL);
    if (mlx5 == nullptr) return absl::UnavailableError(absl::StrCat("no rdma-core: ", dlerror()));
    Rdma out;
    const bool all = find(verbs, "ibv_get_device_list", &out.get_device_list) &&
                     find(verbs, "ibv_free_device_list", &out.free_device_list) &&
                     find(verbs, "ibv_close_device", &out.close_device) &&
                     find(verbs, "ibv_alloc_pd", &out.alloc_pd) &&
                     find(verbs, "ibv_dealloc_pd", &out.dealloc_pd) &&
                     find(mlx5, "mlx5dv_is_supported", &out.is_supported) &&
                     find(mlx5, "mlx5dv_open_device", &out.open_device) &&
                     find(mlx5, "mlx5dv_init_obj", &out.init_obj) &&
                     find(mlx5, "mlx5dv_devx_obj_create", &out.obj_create) &&
                     find(mlx5, "mlx5dv_devx_obj_destroy", &out.obj_destroy) &&
                     find(mlx5, "mlx5dv_devx_general_cmd", &out.general_cmd);
    if (!all) return absl::UnavailableError("rdma-core is too old: it has no DevX");
    return out;
  }());
  return *loaded;
}

class RdmaObject final : public DevxObject {
 public:
  RdmaObject(const Rdma& rdma, mlx5dv_devx_obj* object) : rdma_(rdma), object_(object) {}
  ~RdmaObject() override { rdma_.obj_destroy(object_); }

 private:
  const Rdma& rdma_;
  mlx5dv_devx_obj* const object_;
};

class RdmaDevice final : public Devx {
 public:
  RdmaDevice(const Rdma& rdma, ibv_context* context) : rdma_(rdma), context_(context) {}
  ~RdmaDevice() override {
    if (domain_ != nullptr) rdma_.dealloc_pd(domain_);
    rdma_.close_device(context_);
  }

  bool make_domain() {
    domain_ = rdma_.alloc_pd(context_);
    if (domain_ == nullptr) return false;
    mlx5dv_pd found{};
    mlx5dv_obj query{};
    query.pd.in = domain_;
    query.pd.out = &found;
    if (rdma_.init_obj(&query, MLX5DV_OBJ_PD) != 0) return false;
    domain_number_ = found.pdn;
    return true;
  }

  uint32_t protection_domain() const override { return domain_number_; }
  std::unique_ptr<DevxObject> create(std::span<const uint8_t> in, std::span<uint8_t> out) override {
    mlx5dv_devx_obj* const object =
        rdma_.obj_create(context_, in.data(), in.size(), out.data(), out.size());
    if (object == nullptr) return nullptr;
    return std::make_unique<RdmaObject>(rdma_, object);
  }
  bool run(std::span<const uint8_t> in, std::span<uint8_t> out) override {
    return rdma_.general_cmd(context_, in.data(), in.size(), out.data(), out.size()) == 0;
  }

 private:
  const Rdma& rdma_;
  ibv_context* const context_;
  ibv_pd* domain_ = nullptr;
  uint32_t domain_number_ = 0;
};

// "0000:03:00.0" of an RDMA device's place in sysfs.
std::string pci_address_of(const ibv_device& device) {
  std::error_code error;
  const auto place =
      std::filesystem::canonical(std::filesystem::path(device.ibdev_path) / "device", error);
  return error ? std::string() : place.filename().string();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Devx>> open_connectx(const std::string& pci_address) {
  const absl::StatusOr<Rdma>& found = rdma();
  if (!found.ok()) return found.status();
  int count = 0;
  ibv_device** const list = found->get_device_list(&count);
  if (list == nullptr) return absl::UnavailableError("rdma-core cannot list devices");
  ibv_context* context = nullptr;
  bool there = false;
  for (int i = 0; i < count; ++i) {
    if (pci_address_of(*list[i]) != pci_address || !found->is_supported(list[i])) continue;
    there = true;
    mlx5dv_context_attr attributes{};
    attributes.flags = MLX5DV_CONTEXT_FLAGS_DEVX;
    context = found->open_device(list[i], &attributes);
    break;
  }
  found->free_device_list(list);
  if (!there) {
    return absl::UnavailableError(absl::StrCat("rdma-core knows no ConnectX at ", pci_address,
                                               ", of ", count, " devices that it lists"));
  }
  if (context == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("the ConnectX at ", pci_address, " takes no commands from this user (DevX)"));
  }
  auto device = std::make_unique<RdmaDevice>(*found, context);
  if (!device->make_domain()) {
    return absl::UnavailableError(
        absl::StrCat("the ConnectX at ", pci_address, " gives no protection domain"));
  }
  return device;
}

#else

absl::StatusOr<std::unique_ptr<Devx>> open_connectx(const std::string& /*pci_address*/) {
  return absl::UnavailableError("built without rdma-core's headers (libibverbs-dev)");
}

#endif

std::string describe_connectx(const std::string& pci_address) {
  const auto device = open_connectx(pci_address);
  if (!device.ok()) return absl::StrCat("no TLS engine: ", device.status().message());
  const auto engine = ConnectxEngine::open(device->get(), 1);
  if (!engine.ok()) return absl::StrCat("no TLS engine: ", engine.status().message());
  std::string ciphers;
  for (const auto algorithm :
       {crypto::AeadAlgorithm::kAes128Gcm, crypto::AeadAlgorithm::kAes256Gcm}) {
    if (!(*engine)->supports(algorithm)) continue;
    absl::StrAppend(&ciphers, ciphers.empty() ? "" : ", ", crypto::algorithm_name(algorithm));
  }
  return absl::StrCat("the ConnectX seals TLS 1.3 records (", ciphers,
                      "), which is model-tested and not run on hardware: not used");
}

}  // namespace sluice::engine
