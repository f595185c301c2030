/** The part of tfjs-node's protocol buffer classes that writing a SavedModel takes; the package has no types for it. */
declare module '@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js' {
  class TensorShape {
    setDimList(dimensions: InstanceType<typeof TensorShape.Dim>[]): void;
    static Dim: new () => { setSize(size: number): void };
  }
  class Tensor {
    setDtype(type: number): void;
    setTensorShape(shape: TensorShape): void;
    setTensorContent(bytes: Uint8Array): void;
  }
  class ListValue {
    setIList(values: readonly number[]): void;
  }
  class AttrValue {
    static ListValue: typeof ListValue;
    setS(value: Uint8Array): void;
    setI(value: number): void;
    setF(value: number): void;
    setB(value: boolean): void;
    setType(value: number): void;
    setShape(value: TensorShape): void;
    setTensor(value: Tensor): void;
    setList(value: ListValue): void;
  }
  class NodeDef {
    setName(name: string): void;
    setOp(op: string): void;
    setDevice(device: string): void;
    setInputList(inputs: readonly string[]): void;
    getAttrMap(): { set(name: string, value: AttrValue): void };
  }
  class VersionDef {
    setProducer(version: number): void;
  }
  class GraphDef {
    addNode(node: NodeDef): void;
    setVersions(versions: VersionDef): void;
  }
  class MetaInfoDef {
    setTagsList(tags: readonly string[]): void;
  }
  class MetaGraphDef {
    static MetaInfoDef: typeof MetaInfoDef;
    setMetaInfoDef(info: MetaInfoDef): void;
    setGraphDef(graph: GraphDef): void;
  }
  class SavedModel {
    setSavedModelSchemaVersion(version: number): void;
    addMetaGraphs(graph: MetaGraphDef): void;
    serializeBinary(): Uint8Array;
  }
  const protos: {
    TensorShape: typeof TensorShape;
    Tensor: typeof Tensor;
    AttrValue: typeof AttrValue;
    NodeDef: typeof NodeDef;
    VersionDef: typeof VersionDef;
    GraphDef: typeof GraphDef;
    MetaGraphDef: typeof MetaGraphDef;
    SavedModel: typeof SavedModel;
  };
  export default protos;
}
