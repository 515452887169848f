"""Writes a BERT directory's network as ONNX for transformers.js, in float32 (PyTorch's own export, token vectors as output)
and in eight bits (ONNX Runtime's dynamic quantisation, by channel, as its published q8 files are made)."""

import sys

import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic

folder, path = sys.argv[1:]


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.bert = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state


inputs, output = ["input_ids", "attention_mask", "token_type_ids"], "last_hidden_state"
ones = torch.ones(2, 8, dtype=torch.int64)
torch.onnx.export(
    Network(),
    (ones, ones, torch.zeros_like(ones)),
    path,
    input_names=inputs,
    output_names=[output],
    dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*inputs, output]},
    opset_version=17,
    dynamo=False,
)
quantize_dynamic(path, path.replace(".onnx", "_quantized.onnx"), per_channel=True, weight_type=QuantType.QInt8)
