import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Network } from '../../networks/network.js';
import { parameters } from '../../networks/parameters.js';
import type { Engine, Model, ModelOptions, Precision } from '../engine.js';
import { precisionInForce } from '../precision.js';
import { TAG } from './graph/builder.js';
import { layoutOf } from './graph/layout.js';
import { modelGraph } from './graph/model-graph.js';
import type { GraphForm } from './graph/ops.js';
import { TensorFlowModel } from './model.js';
import type { TensorFlowProcess } from './process/client.js';
import type { Status } from './process/messages.js';

/** TensorFlow through tfjs-node's binding: a network becomes one graph, a training step one call. */
export class TensorFlowEngine implements Engine {
  readonly name = 'tensorflow';
  readonly device: 'cpu' | 'gpu';
  readonly description: string;
  readonly precision: string;
  readonly #process: TensorFlowProcess;
  readonly #form: GraphForm;

  /** `form` is what graphs are written for: tests run those for a GPU on the CPU. */
  constructor(
    process: TensorFlowProcess,
    device: 'cpu' | 'gpu',
    precision: Precision,
    description: string,
    form: GraphForm = device,
  ) {
    this.#process = process;
    this.#form = form;
    this.device = device;
    this.precision = precisionInForce(precision, device);
    this.description = description;
  }

  async createModel(network: Network, options: ModelOptions): Promise<Model> {
    const layout = layoutOf(parameters(network));
    const session = await this.#load(modelGraph(network, layout, options, this.#form));
    return new TensorFlowModel(this.#process, session, network, layout, this.#form, options.seed);
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
    const folder = await mkdtemp(join(tmpdir(), 'densenet-graph-'));
    try {
      await writeFile(join(folder, 'saved_model.pb'), savedModel);
      return await this.#process.load(folder, TAG);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
