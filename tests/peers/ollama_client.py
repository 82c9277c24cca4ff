"""Speaks with the scripted Ollama server through the official client.

Usage: ollama_client.py HOST MODEL. Prints what the client understood, one JSON value a line; the
test compares it with what the server was scripted to say.
"""

import json
import sys

import ollama

host, model = sys.argv[1:]
client = ollama.Client(host=host)
tools = [
    {
        "type": "function",
        "function": {
            "name": "bash",
            "description": "Runs a command",
            "parameters": {
                "type": "object",
                "properties": {"command": {"type": "string"}},
                "required": ["command"],
            },
        },
    }
]


def tell(value):
    print(json.dumps(value), flush=True)


def ask(**more):
    """The pieces of an answer, joined."""
    asked = {"model": model, "messages": [{"role": "user", "content": "Look around."}]}
    asked |= {"tools": tools, **more}
    thinking, content, calls, last = "", "", [], None
    for last in client.chat(stream=True, options={"num_ctx": 8192}, **asked):
        thinking += last.message.thinking or ""
        content += last.message.content or ""
        calls += [
            [call.function.name, dict(call.function.arguments)]
            for call in last.message.tool_calls or []
        ]
    return [thinking, content, calls, last.done, last.done_reason]


def refused(**more):
    try:
        ask(**more)
    except ollama.ResponseError as error:
        return [error.status_code, error.error]
    return "not refused"


tell([one.model for one in client.list().models])
tell(sorted(client.show(model).capabilities))
tell(ask())
tell(ask())
tell(refused())
tell(refused(model="nobody"))
