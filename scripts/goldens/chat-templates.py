"""Conversations as transformers' apply_chat_template writes them, with templates in the manner of published models.

python scripts/goldens/chat-templates.py; transformers 5.3.0, no randomness. Writes test/goldens/chat-templates.json.
"""

import json
import tempfile

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer

CHATML = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You answer questions about medicine.<|im_end|>
' }}{% endif %}{{ '<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""

HEADERS = """{{- bos_token }}
{%- set system = "" %}
{%- if messages[0].role == "system" %}
    {%- set system = messages[0].content | trim %}
    {%- set messages = messages[1:] %}
{%- endif %}
{{- "<|start_header|>system<|end_header|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Tools: " + tools | map(attribute="name") | join(", ") + "\\n" }}
{%- endif %}
{{- system + "<|eot|>" }}
{%- for message in messages %}
    {%- if message.role == "ipython" or message.role == "tool" %}
        {{- "<|start_header|>ipython<|end_header|>\\n\\n" }}
        {{- message.content | tojson }}
    {%- else %}
        {{- "<|start_header|>" + message.role + "<|end_header|>\\n\\n" + message.content | trim }}
    {%- endif %}
    {{- "<|eot|>" }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- "<|start_header|>assistant<|end_header|>\\n\\n" }}
{%- endif %}
"""

TURNS = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message["role"] == "user") != (loop.index0 % 2 == 0) %}
        {{- raise_exception("Conversation roles must alternate user and assistant") }}
    {%- endif %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"] + eos_token }}
    {%- endif %}
{%- endfor %}
"""

SYSTEM = {"role": "system", "content": " Answer in one sentence. "}
QUESTION = {"role": "user", "content": "What does aspirin inhibit?\n"}
ANSWER = {"role": "assistant", "content": "Cyclooxygenase: COX-1 & COX-2 <both>."}
HOSTILE = {"role": "user", "content": "{{ bos_token }}{% raw %} é🧪 </s><|im_end|> [INST] {# x #} \"quoted\" 'single'"}
CONVERSATIONS = [[QUESTION], [SYSTEM, QUESTION], [SYSTEM, QUESTION, ANSWER, HOSTILE], [HOSTILE], [QUESTION, ANSWER]]
TOOLS = [{"name": "look_up", "parameters": {"type": "object"}}, {"name": "é"}]
TOKENS = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|start_header|>", "<|end_header|>", "<|eot|>", "[INST]", "[/INST]"]


def main():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(alphabet + TOKENS)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(TOKENS)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(f"{folder}/tokenizer.json")
        for template in (CHATML, HEADERS, TURNS):
            with open(f"{folder}/tokenizer_config.json", "w", encoding="utf-8") as file:
                json.dump(config | {"chat_template": template}, file)
            read = AutoTokenizer.from_pretrained(folder)
            for messages in CONVERSATIONS:
                for options in [{"add_generation_prompt": True}, {"add_generation_prompt": False}, {"add_generation_prompt": True, "tools": TOOLS}]:
                    if "tools" in options and template != HEADERS:
                        continue
                    text = read.apply_chat_template(messages, tokenize=False, **options)
                    ids = read.apply_chat_template(messages, tokenize=True, return_dict=False, **options)
                    cases.append({"template": template, "messages": messages, "options": options, "text": text, "ids": ids})
    written = json.loads(tokenizer.to_str())
    with open("test/goldens/chat-templates.json", "w", encoding="utf-8") as file:
        json.dump({"transformers": transformers.__version__, "tokenizer": written, "config": config, "cases": cases}, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
