"""What `agent devices` prints."""

from runtime.sinks.virtual_camera_device import list_virtual_cameras
from runtime.sources.devices import list_cameras, list_microphones


def describe_devices() -> str:
    """Cameras, microphones and virtual cameras, one a line, by the names that `agent run` takes."""
    virtual = list_virtual_cameras()
    cameras, microphones = list_cameras(), list_microphones()
    sections = [
        (
            "Cameras (--camera)",
            [f"{d.id}  {d.name}" for d in cameras.devices if not d.virtual],
            cameras.reason,
        ),
        ("Microphones (--microphone)", [f"{d.id}  {d.name}" for d in microphones.devices], microphones.reason),
        ("Virtual cameras (--output virtual-camera:DEVICE)", [f"{d}  {name}" for d, name in virtual], None),
    ]
    return "\n".join(
        line
        for title, found, reason in sections
        for line in (title, *(f"  {entry}" for entry in found or [f"none{f': {reason}' if reason else ''}"]))
    )
