/**
 * Arguments of every process of Node that we start: by itself, Node opens its inspector at SIGUSR1, with which anyone
 * on the machine could run code as this person. Node 22.14 is the first that can be told not to; before, the process
 * itself listens to the signal as soon as it runs.
 */
export const NODE_ARGUMENTS = process.allowedNodeEnvironmentFlags.has('--disable-sigusr1')
  ? ['--disable-sigusr1']
  : [];
