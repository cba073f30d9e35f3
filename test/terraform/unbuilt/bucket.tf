# What objsrv does not have: each of these is refused by its name.

data "aws_s3_bucket" "plain" {
  bucket = "tf-bystander"
}

locals { bucket = data.aws_s3_bucket.plain.id }

resource "aws_s3_bucket_accelerate_configuration" "x" {
  bucket = local.bucket
  status = "Enabled"
}

resource "aws_s3_bucket_request_payment_configuration" "x" {
  bucket = local.bucket
  payer  = "Requester"
}

resource "aws_s3_bucket_website_configuration" "x" {
  bucket = local.bucket
  index_document {
    suffix = "index.html"
  }
}

resource "aws_s3_bucket_logging" "x" {
  bucket        = local.bucket
  target_bucket = local.bucket
  target_prefix = "log/"
}

resource "aws_s3_bucket_metric" "x" {
  bucket = local.bucket
  name   = "all"
}

resource "aws_s3_bucket_analytics_configuration" "x" {
  bucket = local.bucket
  name   = "all"
}

resource "aws_s3_bucket_intelligent_tiering_configuration" "x" {
  bucket = local.bucket
  name   = "all"
  tiering {
    access_tier = "ARCHIVE_ACCESS"
    days        = 125
  }
}

resource "aws_s3_bucket_inventory" "x" {
  bucket                   = local.bucket
  name                     = "all"
  included_object_versions = "All"
  schedule {
    frequency = "Daily"
  }
  destination {
    bucket {
      format     = "CSV"
      bucket_arn = "arn:aws:s3:::${local.bucket}"
    }
  }
}

resource "aws_s3_bucket_replication_configuration" "x" {
  bucket = local.bucket
  role   = "arn:aws:iam::111111111111:role/replication"
  rule {
    id     = "all"
    status = "Enabled"
    destination {
      bucket = "arn:aws:s3:::elsewhere"
    }
  }
}
