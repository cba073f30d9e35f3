// Package checksum computes the checksums of S3 uploads: MD5 for ETags and the ten
// additional algorithms, whole-object and composite. It owns the libraries behind
// them (md5-simd, crc64nvme, xxhash, xxh3) and imports nothing of ours. Rules: S3 user guide,
// "Checking object integrity".
package checksum
