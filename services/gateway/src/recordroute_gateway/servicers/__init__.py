"""The wire side of the gateway: protobuf messages in and out."""
