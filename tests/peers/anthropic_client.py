"""Speaks with the scripted Messages API through the official client.

Usage: anthropic_client.py BASE_URL KEY MODEL. Prints what the client understood, one JSON value a
line; the test compares it with what the server was scripted to say.
"""

import json
import sys

import anthropic

base_url, key, model = sys.argv[1:]
client = anthropic.Anthropic(base_url=base_url, api_key=key)
mark = {"type": "ephemeral"}
tools = [
    {
        "name": "bash",
        "description": "Runs a command",
        "input_schema": {
            "type": "object",
            "properties": {"command": {"type": "string"}},
            "required": ["command"],
        },
    }
]
messages = [{"role": "user", "content": [{"type": "text", "text": "Look around."}]}]


def tell(value):
    print(json.dumps(value), flush=True)


def ask(api=client):
    with api.messages.stream(
        model=model,
        max_tokens=4096,
        system=[{"type": "text", "text": "Be kind.", "cache_control": mark}],
        thinking={"type": "adaptive", "display": "summarized"},
        tools=tools,
        messages=messages,
    ) as stream:
        for _ in stream:
            pass
        return stream.get_final_message()


def refused(api=client):
    try:
        ask(api)
    except anthropic.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.body["error"]["type"]]
    return "not refused"


# A message with calls, whose thinking and calls go back as the client keeps them.
said = ask()
tell([block.model_dump(exclude_unset=True) for block in said.content])
tell([said.stop_reason, said.id, said.usage.cache_creation_input_tokens > 0])
results = [
    {"type": "tool_result", "tool_use_id": block.id, "content": "done"}
    for block in said.content
    if block.type == "tool_use"
]
messages.append({"role": "assistant", "content": said.content})
messages.append({"role": "user", "content": results})
said = ask()
tell([said.content[0].text, said.stop_reason, said.usage.cache_read_input_tokens > 0])

# A busy server is asked again by the client itself.
tell(ask().content[0].text)

# A model that declines.
said = ask()
tell([said.stop_reason, said.stop_details.category, said.stop_details.explanation])

# An error within an answer, and refusals of each kind.
tell(refused(client.with_options(max_retries=0)))
tell(refused(client.with_options(max_retries=0)))
tell(refused(client.with_options(api_key="sk-ant-wrong")))
model = "claude-of-tomorrow"
tell(refused())
