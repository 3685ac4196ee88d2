"""The entry point for a WSGI server in a checkout: `gunicorn wsgi:app`. Installed: `csfinterp.web:create_app()`."""

from csfinterp.web import create_app

app = create_app()
