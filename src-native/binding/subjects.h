// The exports by subject; the interfaces in lib/native/contract/ describe them.
#pragma once

namespace openssl_async {

class Exports;

void AddThreadExports(Exports& exports);
void AddWaitContextExports(Exports& exports);
void AddSignalExports(Exports& exports);
void AddJobExports(Exports& exports);
void AddKeyExports(Exports& exports);
void AddSpecExports(Exports& exports);
void AddOperationExports(Exports& exports);
void AddDeviceExports(Exports& exports);
void AddEngineExports(Exports& exports);
void AddProviderExports(Exports& exports);
void AddModuleExports(Exports& exports);
void AddLibraryExports(Exports& exports);
void AddRemoteKeyExports(Exports& exports);
void AddStatisticsExports(Exports& exports);

}  // namespace openssl_async
