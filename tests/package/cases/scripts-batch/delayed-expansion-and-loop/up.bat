setlocal enabledelayedexpansion
set SUF=Svc
for %%S in (App Web) do (
  net stop %%S!SUF!
)
