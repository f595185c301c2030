import protos from '@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js';

type Attribute = InstanceType<typeof protos.AttrValue>;

/** Names one output of a node, `node` or `node:index`, as GraphDef does. */
export type Output = string;

/** Values of TensorFlow's DataType (tensorflow/core/framework/types.proto). */
export const TYPE = { float: 1, int32: 3, bool: 10, bfloat16: 14 } as const;
export type TypeName = keyof typeof TYPE;

/** An attribute of a node; the key says which of AttrValue's fields holds it. */
export type AttributeValue =
  | { readonly type: TypeName }
  | { readonly int: number }
  | { readonly float: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  /** −1 stands for a size that is known only when the graph runs. */
  | { readonly shape: readonly number[] }
  | { readonly tensor: Attribute };

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** GraphDef version of TensorFlow 2.9, the release that tfjs-node 4.22 was made for; later ones read it. */
const PRODUCER = 1087;

/** Tag under which the one graph of the SavedModel is found. */
export const TAG = 'densenet';

/** Writes a TensorFlow graph node by node. Nodes get unique names below the scopes they are made in. */
export class GraphBuilder {
  readonly #graph = new protos.GraphDef();
  readonly #constants = new Map<string, Output>();
  #scope: string[] = [];
  #controls: readonly Output[] = [];
  #device = '';
  #interpreted = false;
  #count = 0;

  constructor() {
    const versions = new protos.VersionDef();
    versions.setProducer(PRODUCER);
    this.#graph.setVersions(versions);
  }

  /** Nodes made by `build` are named below `name`. */
  scope<T>(name: string, build: () => T): T {
    this.#scope.push(name);
    try {
      return build();
    } finally {
      this.#scope.pop();
    }
  }

  /** Nodes made by `build`, constants apart, run only after all of `controls` have run. */
  after<T>(controls: readonly Output[], build: () => T): T {
    const outer = this.#controls;
    this.#controls = [...outer, ...controls];
    try {
      return build();
    } finally {
      this.#controls = outer;
    }
  }

  /** Nodes made by `build`, constants apart, run on the CPU even where the graph runs on a GPU. */
  onCpu<T>(build: () => T): T {
    const outer = this.#device;
    this.#device = '/device:CPU:0';
    try {
      return build();
    } finally {
      this.#device = outer;
    }
  }

  /** XLA leaves the nodes made by `build` alone. */
  interpreted<T>(build: () => T): T {
    const outer = this.#interpreted;
    this.#interpreted = true;
    try {
      return build();
    } finally {
      this.#interpreted = outer;
    }
  }

  /** Adds a node and returns its first output. `name` overrides the name that would be made up. */
  add(op: string, inputs: readonly Output[], attributes: Attributes = {}, name?: string): Output {
    return this.#node(op, [...inputs, ...this.#controls.map(control)], attributes, name);
  }

  /** Adds a node and returns its first `count` outputs. */
  addMany(op: string, inputs: readonly Output[], attributes: Attributes, count: number): Output[] {
    const node = this.add(op, inputs, attributes);
    return Array.from({ length: count }, (_, index) => (index === 0 ? node : `${node}:${index}`));
  }

  /** A constant float tensor, shared by all who ask for the same one. */
  floats(values: readonly number[], shape: readonly number[] = [values.length]): Output {
    return this.#constant('float', Float32Array.from(values), shape);
  }

  /** A constant int32 tensor, shared by all who ask for the same one. */
  ints(values: readonly number[], shape: readonly number[] = [values.length]): Output {
    return this.#constant('int32', Int32Array.from(values), shape);
  }

  /** The graph as the bytes of a `saved_model.pb`. */
  savedModel(): Uint8Array {
    const info = new protos.MetaGraphDef.MetaInfoDef();
    info.setTagsList([TAG]);
    const meta = new protos.MetaGraphDef();
    meta.setMetaInfoDef(info);
    meta.setGraphDef(this.#graph);
    const model = new protos.SavedModel();
    model.setSavedModelSchemaVersion(1);
    model.addMetaGraphs(meta);
    return model.serializeBinary();
  }

  #node(op: string, inputs: readonly string[], attributes: Attributes, name?: string): Output {
    const unique = name ?? [...this.#scope, `${op}_${this.#count++}`].join('/');
    const node = new protos.NodeDef();
    node.setName(unique);
    node.setOp(op);
    if (op !== 'Const') node.setDevice(this.#device);
    node.setInputList(inputs);
    for (const [key, value] of Object.entries(attributes)) node.getAttrMap().set(key, attribute(value));
    if (this.#interpreted && op !== 'Const') node.getAttrMap().set('_XlaCompile', attribute({ bool: false }));
    this.#graph.addNode(node);
    return unique;
  }

  #constant(type: 'float' | 'int32', values: Float32Array | Int32Array, shape: readonly number[]): Output {
    const key = `${type} ${shape} ${values}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const tensor = new protos.Tensor();
    tensor.setDtype(TYPE[type]);
    tensor.setTensorShape(tensorShape(shape));
    tensor.setTensorContent(new Uint8Array(values.buffer));
    const value = new protos.AttrValue();
    value.setTensor(tensor);
    const made = this.#node(
      'Const',
      [],
      { dtype: { type }, value: { tensor: value } },
      `constant_${this.#count++}`,
    );
    this.#constants.set(key, made);
    return made;
  }
}

/** The control input that makes a node wait for the node of an output. */
function control(output: Output): string {
  return `^${output.split(':')[0]}`;
}

function tensorShape(shape: readonly number[]) {
  const result = new protos.TensorShape();
  result.setDimList(
    shape.map((size) => {
      const dimension = new protos.TensorShape.Dim();
      dimension.setSize(size);
      return dimension;
    }),
  );
  return result;
}

function attribute(value: AttributeValue): Attribute {
  if ('tensor' in value) return value.tensor;
  const result = new protos.AttrValue();
  if ('type' in value) result.setType(TYPE[value.type]);
  else if ('int' in value) result.setI(value.int);
  else if ('float' in value) result.setF(value.float);
  else if ('bool' in value) result.setB(value.bool);
  else if ('string' in value) result.setS(new TextEncoder().encode(value.string));
  else if ('shape' in value) result.setShape(tensorShape(value.shape));
  else {
    const list = new protos.AttrValue.ListValue();
    list.setIList(value.ints);
    result.setList(list);
  }
  return result;
}
