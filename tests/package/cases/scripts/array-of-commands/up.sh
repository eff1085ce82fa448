#!/bin/bash
CMD=(systemctl restart)
CMD+=(app.service)
"${CMD[@]}"
