"""`agent call`."""

from agent.call.conversation import Conversation
from agent.commands.run import announce, write_report
from agent.config.call import Call
from agent.interrupt import interruptible
from agent.metrics import served_metrics
from agent.terminal import say, status_line


def call(config: Call) -> None:
    """Talks until either end hangs up; with --listen, to one after the other until somebody ends it."""
    with interruptible(at_once=True) as interrupt:
        conversation = None
        try:
            conversation = Conversation(config, say, lambda: interrupt.asked)
            session = conversation.session
            interrupt.stop_with(session.loop.stop)
            announce(session.sinks)
            with served_metrics(config.metrics_port, session.status, say), status_line(session.status):
                session.loop.run_live()
        finally:
            if conversation is not None:
                conversation.close()
            if conversation is not None and config.report is not None:
                write_report(config.report, conversation.figures())
    for path in session.written():
        say(f"wrote {path}")
    conversation.check()
