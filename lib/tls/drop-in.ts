// Programs that `openssl-async/register` is loaded into know nothing of this package: where Node.js's defaults and ours
// differ, Node.js's hold.
let isForAll = false;

/** From here on, all programs' TLS is this package's. */
export function becomeDropIn(): void {
  isForAll = true;
}

/** Whether Node.js's defaults hold. */
export function isDropIn(): boolean {
  return isForAll;
}
