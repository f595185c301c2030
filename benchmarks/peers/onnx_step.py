"""Times a prediction step of a network, exported as ONNX, in OpenVINO or ONNX Runtime, in 32-bit floats."""

import numpy as np

import options as cli


def add_arguments(parser):
    parser.add_argument("--runtime", choices=["openvino", "onnxruntime"], required=True)
    parser.add_argument("--model", required=True, help="the ONNX file")


def openvino(options, images):
    import openvino as ov

    core = ov.Core()
    model = core.read_model(options.model)
    model.reshape(list(images.shape))
    settings = {
        "INFERENCE_NUM_THREADS": options.threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return lambda: next(iter(request.infer([images]).values())), f"OpenVINO {ov.__version__}"


def onnxruntime(options, images):
    import onnxruntime as ort

    settings = ort.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    session = ort.InferenceSession(options.model, settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: images})[0], f"ONNX Runtime {ort.__version__}"


def main():
    options = cli.parse(add_arguments)
    images = np.random.randn(options.batch, options.channels, options.height, options.width).astype("float32")
    step, version = {"openvino": openvino, "onnxruntime": onnxruntime}[options.runtime](options, images)
    logits = step()
    assert logits.shape == (options.batch, options.classes) and np.isfinite(logits).all()
    # The file is the program's own export, so there is no other network to compare.
    cli.report(cli.measure(options, step), None, version)


main()
