import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Network } from '../../networks/network.js';
import { parameters } from '../../networks/parameters.js';
import { temporaryFolder } from '../../util/temporary-folder.js';
import { checkCompile } from '../compile.js';
import type { Engine, Model, ModelOptions, Precision } from '../engine.js';
import { precisionInForce } from '../precision.js';
import { TAG } from './graph/builder.js';
import { layoutOf } from './graph/layout.js';
import { type GraphUse, modelGraph } from './graph/model-graph.js';
import { TensorFlowModel } from './model.js';
import type { TensorFlowProcess } from './process/client.js';
import type { Status } from './process/messages.js';

export interface EngineFacts {
  readonly device: 'cpu' | 'gpu';
  readonly precision: Precision;
  readonly description: string;
  readonly use: GraphUse;
}

/** Of graphs for a GPU: to be raised with every change that changes the bits of results. */
const GPU_KERNELS = 2;

/** TensorFlow through tfjs-node's binding: a network becomes one graph, a training step one call. */
export class TensorFlowEngine implements Engine {
  readonly name = 'tensorflow';
  readonly device: 'cpu' | 'gpu';
  readonly description: string;
  readonly precision: string;
  readonly kernels: number | undefined;
  readonly #process: TensorFlowProcess;
  readonly #use: GraphUse;

  constructor(process: TensorFlowProcess, { device, precision, description, use }: EngineFacts) {
    this.#process = process;
    this.#use = use;
    this.device = device;
    this.precision = precisionInForce(precision, device);
    this.description = description;
    this.kernels = use.form === 'gpu' ? GPU_KERNELS : undefined;
  }

  /** Throws a UserError (usage) for a network that XLA is asked to compile and cannot. */
  async createModel(network: Network, options: ModelOptions): Promise<Model> {
    if (this.#use.compiled) checkCompile(this.name, network);
    const layout = layoutOf(parameters(network));
    const session = await this.#load(modelGraph(network, layout, options, this.#use));
    return new TensorFlowModel(this.#process, session, network, layout, this.#use, options.seed);
  }

  async peakMemory(): Promise<number> {
    return (await this.status()).peakMemory;
  }

  /** State of the TensorFlow process, for tests. */
  status(): Promise<Status> {
    return this.#process.status();
  }

  /** Id of the TensorFlow process. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  async dispose(): Promise<void> {
    await this.#process.close();
  }

  async #load(savedModel: Uint8Array): Promise<number> {
    const folder = await temporaryFolder('graph');
    try {
      await writeFile(join(folder, 'saved_model.pb'), savedModel);
      return await this.#process.load(folder, TAG);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
