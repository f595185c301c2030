"""Prints as JSON what TensorBoard reads in a folder of event files: scalars by tag, and the hparams plugin's data."""

import json
import sys

from google.protobuf.json_format import MessageToDict
from tensorboard.backend.event_processing.event_accumulator import SCALARS, TENSORS, EventAccumulator
from tensorboard.plugins.hparams import metadata

accumulator = EventAccumulator(sys.argv[1], size_guidance={SCALARS: 0, TENSORS: 0})
accumulator.Reload()
content = accumulator.PluginTagToContent(metadata.PLUGIN_NAME)
print(
    json.dumps(
        {
            "scalars": {
                tag: [[event.step, event.value] for event in accumulator.Scalars(tag)]
                for tag in accumulator.Tags()[SCALARS]
            },
            "hparams": {
                tag: MessageToDict(metadata._parse_plugin_data_as(data, tag.split("/")[1]))
                for tag, data in content.items()
            },
        }
    )
)
