import { UserError } from '../../util/errors.js';
import { shellWord } from '../../util/shell.js';
import { runSweep } from '../run.js';
import { trainArgv } from '../train-command.js';
import type { Launcher } from './launcher.js';

/** On this machine, while this process runs. */
export const local: Launcher = {
  script: ({ runs, trainOptions }) =>
    runs.map((run) => `${trainArgv(run, trainOptions).map(shellWord).join(' ')}\n`).join(''),
  launch: ({ runs, ...order }, options) => runSweep(runs, { ...order, ...options }),
  queue: async () => new Map(),
  cancel: async () => {
    throw new UserError(
      'usage',
      'a sweep on this machine is in no queue',
      'End it where it runs, with Ctrl-C; --launcher says which queue is meant.',
    );
  },
};
