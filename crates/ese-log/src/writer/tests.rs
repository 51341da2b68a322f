mod crash;
mod stream;
