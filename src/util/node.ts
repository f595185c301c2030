/**
 * Arguments of every process of Node that we start: at SIGUSR1, Node opens its inspector, with which anyone on the
 * machine could run code as this person, until our own code listens to the signal. Older Node cannot be told not to,
 * but at an address that no machine has (RFC 5737) it fails.
 */
export const NODE_ARGUMENTS = ['--inspect-port=192.0.2.1:9229'];
