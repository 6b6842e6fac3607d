"""An application that has nothing of ours."""


async def app(scope, receive, send) -> None:
    """Start, stop and answer nothing."""
    assert scope["type"] == "lifespan"
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
