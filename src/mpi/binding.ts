/** What mpi/addon.cc exports. Calls must not overlap; arrays must not change until the promise settles. */
export interface MpiBinding {
  join(): Promise<{ rank: number; size: number; library: string }>;
  /** Fills `receive` with what all processes send, in the order of ranks; `bytes` says how much each does. */
  gather(send: Uint8Array, bytes: Int32Array, receive: Uint8Array): Promise<void>;
  /** Fills `receive` with the sum of all arrays; process r sends parts[r] of them, one after another. */
  sum(send: Float32Array, parts: Int32Array, receive: Float32Array): Promise<void>;
  /** Fills `data` with that of the first process. */
  broadcast(data: Uint8Array): Promise<void>;
  leave(): Promise<void>;
  /** Ends the process now. */
  end(code: number): never;
}
