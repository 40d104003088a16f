//! Who may ask: a user and password that the operator chose, or a cookie that only this user of the machine can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base::{Hash, hex};
use data_encoding::BASE64;

/// The name of the cookie file in a data folder.
pub const COOKIE_FILE: &str = ".cookie";
/// The user that a cookie stands for.
const COOKIE_USER: &str = "__cookie__";

/// The one user of an interface.
#[derive(Clone)]
pub struct Credentials {
    /// Of `user:password`, so that comparing takes as long for every guess and the password itself is kept nowhere.
    hash: Hash,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

impl Credentials {
    /// A user and password of the operator's.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self::of(format!("{user}:{password}").as_bytes())
    }

    fn of(pair: &[u8]) -> Self {
        let hash = Hash::sha256(&[pair]);
        Self { hash }
    }

    /// Whether an `Authorization` header's value is of this user.
    pub(crate) fn admit(&self, authorization: &[u8]) -> bool {
        let Some((scheme, pair)) = authorization.split_at_checked(6) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"basic ")
            && BASE64
                .decode(pair.trim_ascii())
                .is_ok_and(|pair| Self::of(&pair).hash == self.hash)
    }
}

/// A cookie file: it is there while the interface is.
#[derive(Debug)]
pub struct Cookie {
    path: PathBuf,
}

impl Cookie {
    /// Writes a new cookie into a data folder, in the place of one that a killed process left.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(folder: &Path) -> io::Result<(Self, Credentials)> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let pair = format!("{COOKIE_USER}:{}", hex::encode(&secret));
        let path = folder.join(COOKIE_FILE);
        replace(&path, pair.as_bytes())?;
        Ok((Self { path }, Credentials::of(pair.as_bytes())))
    }
}

impl Drop for Cookie {
    fn drop(&mut self) {
        // One that stays behind opens nothing: the next start makes another.
        let _stays = fs::remove_file(&self.path);
    }
}

/// Puts a file that only this user can read in the place of another, whole or not at all.
///
/// # Errors
/// When it cannot be written beside the other, or not be put in its place.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_added_extension("new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // Fails when there is anything of this name, a dangling link included: it is `O_EXCL`, which follows none.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

/// The `user:password` in a data folder's cookie file.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn read_cookie(folder: &Path) -> io::Result<String> {
    fs::read_to_string(folder.join(COOKIE_FILE)).map(|pair| pair.trim().to_owned())
}

/// The value of an `Authorization` header for `user:password`.
#[must_use]
pub fn authorization(pair: &str) -> String {
    format!("Basic {}", BASE64.encode(pair.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_the_right_pair_is_let_in() {
        let credentials = Credentials::new("u", "p:q");
        assert!(credentials.admit(authorization("u:p:q").as_bytes()));
        assert!(credentials.admit(authorization("u:p:q").replace("Basic", "basic").as_bytes()));
        for wrong in ["u:p", "u:", "", ":", "u:p:q ", "U:p:q"] {
            assert!(!credentials.admit(authorization(wrong).as_bytes()), "{wrong}");
        }
        for wrong in [
            &b""[..],
            b"Basic",
            b"Basic ",
            b"Basic !!",
            b"Bearer dTpwOnE=",
            b"\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert!(!credentials.admit(wrong));
        }
    }

    #[test]
    fn a_cookie_is_for_this_user_alone_new_each_time_and_gone_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let (cookie, credentials) = Cookie::write(folder.path()).unwrap();
        let pair = read_cookie(folder.path()).unwrap();
        assert!(pair.starts_with("__cookie__:") && pair.len() == 11 + 64);
        assert!(credentials.admit(authorization(&pair).as_bytes()));
        let path = folder.path().join(COOKIE_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(cookie);
        assert!(!path.exists());

        fs::write(&path, "left behind").unwrap();
        let (_cookie, credentials) = Cookie::write(folder.path()).unwrap();
        assert!(!credentials.admit(authorization(&pair).as_bytes()));
        assert_ne!(read_cookie(folder.path()).unwrap(), pair);
    }

    #[test]
    fn credentials_show_nothing_of_themselves() {
        assert_eq!(format!("{:?}", Credentials::new("user", "secret")), "Credentials");
    }
}
