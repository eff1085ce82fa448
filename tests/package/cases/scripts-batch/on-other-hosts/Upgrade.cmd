for %%h in (app01 app02) do (
  sc \\%%h stop LedgerSvc
  shutdown /r /m \\%%h /t 30
  schtasks /run /s %%h /tn LedgerWarm
)
