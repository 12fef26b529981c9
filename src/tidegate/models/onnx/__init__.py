"""Models in ONNX: looked into before they are believed, and run by ONNX Runtime."""
