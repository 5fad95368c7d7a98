//! RSA keys of hardware that chose its primes badly (CVE-2017-15361, ROCA): their private keys can be computed.
//!
//! Both primes of such a key are powers of 65537 modulo every small prime, and so is their product. Of other keys, one in
//! 200 million looks like that.

/// Whether a modulus (big-endian) looks like that of such a key.
pub(super) fn is_weak(modulus: &[u8]) -> bool {
    PRIMES
        .iter()
        .all(|prime| is_power(remainder(modulus, *prime), *prime))
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    let step = |rest: u32, byte: &u8| (rest * 256 + u32::from(*byte)) % prime;
    number.iter().fold(0, step)
}

/// Whether a number is a power of 65537 modulo a prime.
fn is_power(number: u32, prime: u32) -> bool {
    let mut power = 1;
    loop {
        if power == number {
            return true;
        }
        power = power * (65_537 % prime) % prime;
        if power == 1 {
            return false;
        }
    }
}

/// The primes of which the generator leaves traces.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_told_from_others() {
        // 65537 is 10 modulo 11, and its powers are 1 and 10.
        assert!(is_power(10, 11) && is_power(1, 11) && !is_power(2, 11) && !is_power(0, 11));
        assert_eq!(remainder(&[1, 0, 1], 11), 65_537 % 11);
    }

    #[test]
    fn a_power_of_the_generator_is_weak_and_its_neighbour_is_not() {
        let mut power: Vec<u8> = vec![1, 0, 1];
        assert!(is_weak(&power));
        power[0] = 3;
        assert!(!is_weak(&power));
    }
}
