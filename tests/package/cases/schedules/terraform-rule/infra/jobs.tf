resource "aws_cloudwatch_event_rule" "purge" {
  name                = "purge"
  schedule_expression = "cron(15 10 L * ? *)"
}
resource "aws_cloudwatch_event_rule" "idle" {
  schedule_expression = "rate(1 day)"
  is_enabled = false
}
