"""The gateway's view of the services behind it: protobuf messages stop here."""
