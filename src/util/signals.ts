/**
 * What asks a process to end, or warns of its end: Ctrl-C, the end of a terminal, and what schedulers send, often to
 * every process of a job. Every process of ours handles them all: what the system does by itself is to kill it.
 */
export const END_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGXCPU'] as const;
