import { isFullGpu, SMALLER } from '../engines/full-memory.js';
import { diskError } from '../util/disk-errors.js';
import { systemCode, UserError } from '../util/errors.js';

/** What the system refuses at any place in the program. */
const LIMITS = ['EMFILE', 'ENFILE', 'ENOMEM'];

/** What Node and C++ say where memory cannot be had; a length of ten digits is no slip of ours. */
const MEMORY = /^std::bad_alloc$|^Array buffer allocation failed$|^Invalid typed array length: \d{10,}$/;

/** What C++ says where a thread cannot be started. */
const THREADS = /^Resource temporarily unavailable$/;

/** Says in a UserError what this machine has too little of, where that is why something failed; otherwise undefined. */
export function machineFailure(error: unknown): UserError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.message.endsWith('uv_cwd')) {
    return new UserError(
      'usage',
      'the current folder no longer exists, or may not be read',
      'Go to another one: cd ~',
    );
  }
  if (LIMITS.includes(systemCode(error) ?? '')) {
    const limit = diskError(error, 'the program cannot go on', 'close other programs');
    return limit instanceof UserError ? limit : undefined;
  }
  if (MEMORY.test(error.message)) {
    return new UserError(
      'engine',
      'this machine has too little memory for it',
      'Take a smaller batch, micro-batches (training.accumulate) or a smaller network.',
      { cause: error },
    );
  }
  if (isFullGpu(error)) {
    return new UserError('engine', 'TensorFlow has too little memory for it', SMALLER, { cause: error });
  }
  if (THREADS.test(error.message)) {
    return new UserError('engine', 'the system starts no more threads', 'Give fewer with --threads.', {
      cause: error,
    });
  }
  return undefined;
}
