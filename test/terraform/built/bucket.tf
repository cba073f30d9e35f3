# A bucket with every sub-resource that objsrv has, one without any, and objects.

resource "aws_s3_bucket" "plain" {
  bucket = "tf-plain"
}

resource "aws_s3_bucket" "full" {
  bucket              = "tf-full"
  object_lock_enabled = true
  force_destroy       = true
  tags                = var.again ? { stage = "second", more = "a tag" } : { stage = "first" }
}

resource "aws_s3_bucket_versioning" "full" {
  bucket = aws_s3_bucket.full.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "full" {
  bucket = aws_s3_bucket.full.id
  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.again ? 2 : 1
    }
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "full" {
  bucket = aws_s3_bucket.full.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = var.again ? "aws:kms" : "AES256"
      kms_master_key_id = var.again ? "tf-key" : null
    }
    bucket_key_enabled = var.again
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "full" {
  bucket     = aws_s3_bucket.full.id
  depends_on = [aws_s3_bucket_versioning.full]
  rule {
    id     = "logs"
    status = "Enabled"
    filter {
      prefix = "logs/"
    }
    expiration {
      days = var.again ? 60 : 30
    }
    noncurrent_version_expiration {
      noncurrent_days           = 7
      newer_noncurrent_versions = 2
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 3
    }
  }
  rule {
    id     = "tagged"
    status = var.again ? "Disabled" : "Enabled"
    filter {
      and {
        prefix                   = "tmp/"
        object_size_greater_than = 1000
        tags                     = { temporary = "yes" }
      }
    }
    expiration {
      days = 1
    }
  }
}

resource "aws_s3_bucket_notification" "full" {
  bucket = aws_s3_bucket.full.id
  queue {
    id            = "hook"
    queue_arn     = "arn:minio:sqs:us-east-1:TF:webhook"
    events        = var.again ? ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"] : ["s3:ObjectCreated:*"]
    filter_prefix = "in/"
    filter_suffix = ".csv"
  }
}

resource "aws_s3_bucket_cors_configuration" "full" {
  bucket = aws_s3_bucket.full.id
  cors_rule {
    id              = "one"
    allowed_headers = ["*"]
    allowed_methods = var.again ? ["GET", "PUT"] : ["GET"]
    allowed_origins = ["https://app.example.com"]
    expose_headers  = ["ETag"]
    max_age_seconds = var.again ? 60 : 3000
  }
}

resource "aws_s3_bucket_ownership_controls" "full" {
  bucket = aws_s3_bucket.full.id
  rule {
    object_ownership = var.again ? "ObjectWriter" : "BucketOwnerPreferred"
  }
}

resource "aws_s3_bucket_public_access_block" "full" {
  bucket                  = aws_s3_bucket.full.id
  block_public_acls       = var.again
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = !var.again
}

resource "aws_s3_bucket_acl" "full" {
  bucket     = aws_s3_bucket.full.id
  acl        = var.again ? "private" : "authenticated-read"
  depends_on = [aws_s3_bucket_ownership_controls.full, aws_s3_bucket_public_access_block.full]
}

data "aws_iam_policy_document" "full" {
  statement {
    sid     = "OnlyTLS"
    effect  = "Deny"
    actions = var.again ? ["s3:DeleteObject", "s3:DeleteObjectVersion"] : ["s3:DeleteObject"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    resources = ["${aws_s3_bucket.full.arn}/protected/*"]
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "full" {
  bucket     = aws_s3_bucket.full.id
  policy     = data.aws_iam_policy_document.full.json
  depends_on = [aws_s3_bucket_public_access_block.full]
}

resource "aws_s3_object" "text" {
  bucket        = aws_s3_bucket.full.id
  key           = "dir/text.txt"
  content       = var.again ? "second" : "first"
  content_type  = "text/plain"
  metadata      = { by = "terraform" }
  tags          = { stage = var.again ? "second" : "first" }
  force_destroy = true
  # The bucket's default retention is no setting of the object's.
  lifecycle { ignore_changes = [object_lock_mode, object_lock_retain_until_date] }
  depends_on = [aws_s3_bucket_versioning.full, aws_s3_bucket_server_side_encryption_configuration.full, aws_s3_bucket_object_lock_configuration.full]
}

resource "aws_s3_object" "small" {
  bucket  = aws_s3_bucket.plain.id
  key     = "small"
  content = "small"
}

resource "aws_s3_object_copy" "copy" {
  bucket = aws_s3_bucket.plain.id
  key    = "copy"
  source = "${aws_s3_object.small.bucket}/${aws_s3_object.small.key}"
}

data "aws_s3_bucket" "plain" {
  bucket = aws_s3_bucket.plain.id
}

data "aws_s3_bucket_policy" "full" {
  bucket = aws_s3_bucket_policy.full.bucket
}

data "aws_s3_objects" "plain" {
  bucket     = aws_s3_bucket.plain.id
  depends_on = [aws_s3_object.small, aws_s3_object_copy.copy]
}

output "keys" { value = join(" ", data.aws_s3_objects.plain.keys) }
output "region" { value = data.aws_s3_bucket.plain.region }
