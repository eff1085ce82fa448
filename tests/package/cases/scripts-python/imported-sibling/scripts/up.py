from settings import HOST, fetch

fetch(f"https://{HOST}/x")
