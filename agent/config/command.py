"""All commands."""

from agent.config.bench import Bench
from agent.config.calibrate import Calibrate
from agent.config.call import Call
from agent.config.doctor import Devices, Doctor
from agent.config.eval import Eval
from agent.config.models import Models
from agent.config.personalise import Personalise
from agent.config.run import Demo, Run

Command = Run | Call | Demo | Devices | Doctor | Calibrate | Personalise | Models | Bench | Eval
