"""ComfyUI: orders become graphs of nodes, sent by HTTP and followed by WebSocket."""
