import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, readdirSync, readlinkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

export const NODES = ['node1', 'node2'] as const;
export type Node = (typeof NODES)[number];

/**
 * A Slurm of its own: munged, slurmctld and two nodes of one processor each, on free ports of this host, with all their
 * files in one folder. Each node is a host of its own name (a UTS namespace), so its processes cannot be seen from the
 * other. The partition `high` preempts the default one. Requeued jobs wait for 5 seconds instead of two minutes, and a
 * node is down after 10 instead of 300.
 */
export class Cluster {
  readonly environment: Readonly<Record<string, string>>;
  private readonly daemons = new Map<string, ChildProcess>();

  private constructor(private readonly folder: string) {
    this.environment = { SLURM_CONF: join(folder, 'slurm.conf') };
  }

  static async start(folder: string): Promise<Cluster> {
    const cluster = new Cluster(folder);
    const { environment } = cluster;
    await writeFile(environment.SLURM_CONF!, configuration(folder, await freePorts(3)));
    // In /tmp, what killed nodes leave would keep the next cluster's step of the same number from starting.
    await writeFile(join(folder, 'mpi.conf'), `PMIxCliTmpDirBase=${folder}\n`);
    await writeFile(join(folder, 'munge.key'), randomBytes(128), { mode: 0o600 });
    for (const name of ['state', ...NODES]) await mkdir(join(folder, name));
    const file = (what: string) => `--${what}-file=${join(folder, `munge.${what}`)}`;
    cluster.run('munged', [
      '--foreground',
      '--force',
      `--socket=${join(folder, 'munge.socket')}`,
      ...['key', 'pid', 'seed', 'log'].map(file),
    ]);
    await until('munged answers', () => cluster.answers('munge', ['-n', '-S', join(folder, 'munge.socket')]));
    await cluster.startController();
    for (const node of NODES) cluster.startNode(node);
    await until(
      'both nodes are idle',
      async () => (await cluster.ask('sinfo', ['-h', '-t', 'idle', '-o', '%D'])).trim() === '2',
    );
    return cluster;
  }

  /** Answers of Slurm's commands. */
  ask(command: string, args: readonly string[]): Promise<string> {
    const env = { ...process.env, ...this.environment };
    return new Promise((resolve, reject) => {
      execFile(command, args, { env }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
  }

  async startController(): Promise<void> {
    this.run('slurmctld', ['-D']);
    await until('slurmctld answers', () => this.answers('squeue', []));
  }

  async restartController(): Promise<void> {
    await this.end('slurmctld', 'SIGTERM');
    await this.startController();
  }

  startNode(node: Node): void {
    this.run('unshare', ['--uts', 'sh', '-c', 'hostname "$0"; exec slurmd -D -N "$0"', node], node);
  }

  /** Every process of it, as a power cut does. */
  async killNode(node: Node): Promise<void> {
    const daemon = this.daemons.get(node)!;
    const host = hostOf(daemon.pid!);
    // A node that could not start has no namespace of its own: those are the processes of this host.
    const own = host !== undefined && host !== hostOf(process.pid);
    for (const pid of own ? processes() : []) if (hostOf(pid) === host) kill(pid, 'SIGKILL');
    await this.end(node, 'SIGKILL');
  }

  async stop(): Promise<void> {
    for (const node of NODES) if (this.daemons.has(node)) await this.killNode(node);
    for (const name of [...this.daemons.keys()].reverse()) await this.end(name, 'SIGTERM');
  }

  private answers(command: string, args: readonly string[]): Promise<boolean> {
    return this.ask(command, args).then(
      () => true,
      () => false,
    );
  }

  private run(command: string, args: readonly string[], name = command): void {
    const env = { ...process.env, ...this.environment };
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.on('error', (error) => console.error(`${error.message}: apt-get install slurm-wlm munge`));
    const log = createWriteStream(join(this.folder, `${name}.out`), { flags: 'a' });
    for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
    this.daemons.set(name, child);
  }

  private async end(name: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.daemons.get(name)!;
    this.daemons.delete(name);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null && child.kill(signal)) await ended;
  }
}

/** Resolves once it is true. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; !(await isTrue()); await setTimeout(50)) {
    if (Date.now() > end) throw new Error(`it took too long until ${what}`);
  }
}

/** Sends a signal to a process, which may be gone. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {}
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The namespace of its host's name; undefined for one that is gone. */
function hostOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/uts`);
  } catch {
    return undefined;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      return server;
    }),
  );
  return servers.map((server) => {
    const { port } = server.address() as { port: number };
    server.close();
    return port;
  });
}

function configuration(folder: string, [controller, ...ports]: readonly number[]): string {
  return `ClusterName=test
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.socket,cred_expire=5
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmctldLogFile=${folder}/slurmctld.log
StateSaveLocation=${folder}/state
SlurmdPidFile=${folder}/%n.pid
SlurmdLogFile=${folder}/%n.log
SlurmdSpoolDir=${folder}/%n
SlurmdTimeout=10
ReturnToService=2
KillWait=30
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
${NODES.map((node, index) => `NodeName=${node} NodeHostname=${node} NodeAddr=127.0.0.1 Port=${ports[index]} CPUs=1`).join('\n')}
PartitionName=low Nodes=${NODES} Default=YES PriorityTier=1
PartitionName=high Nodes=${NODES} PriorityTier=2
`;
}
