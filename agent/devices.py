"""What `agent devices` prints."""

from runtime.sinks.virtual_camera import list_virtual_cameras

from runtime.sources.devices import list_cameras, list_microphones


def describe_devices() -> str:
    """Cameras, microphones and virtual cameras, one a line, by the names that `agent run` takes."""
    raise SystemExit(list_cameras, list_microphones, list_virtual_cameras)
