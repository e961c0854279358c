"""The reference: the least that a wechatpy and Flask callback can do — open, echo, seal."""

import os
import time

from flask import Flask, Response, request
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TextReply

app = Flask(__name__)
crypto = WeChatCrypto(
    os.environ["WECHAT_TOKEN"], os.environ["WECHAT_AES_KEY"], os.environ["WECHAT_APP_ID"]
)


@app.post("/wechat")
def echo() -> Response:
    query = request.args
    opened = crypto.decrypt_message(
        request.data, query["msg_signature"], query["timestamp"], query["nonce"]
    )
    message = parse_message(opened)
    reply = TextReply(content=message.content, message=message).render()
    sealed = crypto.encrypt_message(reply, query["nonce"], str(int(time.time())))
    return Response(sealed, content_type="application/xml")


@app.get("/healthz")
def healthz() -> str:
    return "ok"
