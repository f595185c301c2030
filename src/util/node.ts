/**
 * Arguments of every process of Node that we start: at SIGUSR1, Node before 22.14 opens its inspector, with which anyone
 * on the machine could run code as this person, until our own code listens to the signal. At an address that no machine
 * has (RFC 5737) it cannot.
 */
export const NODE_ARGUMENTS = ['--inspect-port=192.0.2.1:9229'];
