/** https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml */
export const UNAUTHORIZED = 13;
export const AUTHENTICATION_FAILED = 18;
export const MAX_TIME_EXPIRED = 50;
export const DUPLICATE_KEY = 11000;
export const OUT_OF_DISK_SPACE = 14031;
