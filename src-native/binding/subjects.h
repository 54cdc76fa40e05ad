// The exports by subject; the interfaces in lib/native/contract/ describe them.
#pragma once

namespace openssl_async {

class Exports;

void AddThreadExports(Exports& addon);
void AddWaitContextExports(Exports& addon);
void AddSignalExports(Exports& addon);
void AddJobExports(Exports& addon);
void AddKeyExports(Exports& addon);
void AddSpecExports(Exports& addon);
void AddOperationExports(Exports& addon);
void AddDeviceExports(Exports& addon);
void AddEngineExports(Exports& addon);
void AddProviderExports(Exports& addon);
void AddModuleExports(Exports& addon);
void AddLibraryExports(Exports& addon);
void AddRemoteKeyExports(Exports& addon);
void AddTlsExports(Exports& addon);
// Parts of AddTlsExports().
void AddTlsContextExports(Exports& tls);
void AddTlsClientExports(Exports& tls);
void AddTlsListenerExports(Exports& tls);
void AddTlsConnectionExports(Exports& tls);
void AddTlsDetailExports(Exports& tls);
void AddStatisticsExports(Exports& addon);

}  // namespace openssl_async
