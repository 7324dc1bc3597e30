// Messages as the suite reads and writes them. None of them is made from your contract: they stand for programs of
// other people, who were built with a version of it, or will be.

/// The contract in its first year: the fax number and the nickname were still there.
pub mod first_year {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct User {
        #[prost(string, tag = "1")]
        pub id: String,
        #[prost(string, tag = "2")]
        pub name: String,
        #[prost(string, tag = "3")]
        pub email: String,
        #[prost(string, tag = "4")]
        pub fax: String,
        #[prost(string, tag = "5")]
        pub nickname: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Archive {
        #[prost(message, repeated, tag = "1")]
        pub users: Vec<User>,
    }
}

/// The contract as it is after step 5. Until then its new fields are simply never there.
pub mod this_year {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct User {
        #[prost(string, tag = "1")]
        pub id: String,
        #[prost(string, tag = "2")]
        pub name: String,
        #[prost(string, tag = "3")]
        pub email: String,
        #[prost(string, optional, tag = "6")]
        pub phone: Option<String>,
        // On the wire an enum is its number.
        #[prost(int32, tag = "7")]
        pub state: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Archive {
        #[prost(message, repeated, tag = "1")]
        pub users: Vec<User>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct GetUserRequest {
        #[prost(string, tag = "1")]
        pub id: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ListUsersRequest {
        #[prost(int32, tag = "1")]
        pub page: i32,
        #[prost(int32, tag = "2")]
        pub page_size: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ListUsersResponse {
        #[prost(message, repeated, tag = "1")]
        pub users: Vec<User>,
        #[prost(int64, tag = "2")]
        pub total: i64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct CreateUserRequest {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(string, tag = "2")]
        pub email: String,
        #[prost(string, optional, tag = "3")]
        pub phone: Option<String>,
    }

    /// The answer to GetUser and to CreateUser: a user each.
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct UserResponse {
        #[prost(message, optional, tag = "1")]
        pub user: Option<User>,
    }
}

/// The contract as it may be next year.
pub mod next_year {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct User {
        #[prost(string, tag = "1")]
        pub id: String,
        #[prost(string, tag = "2")]
        pub name: String,
        #[prost(string, tag = "3")]
        pub email: String,
        #[prost(string, optional, tag = "6")]
        pub phone: Option<String>,
        #[prost(int32, tag = "7")]
        pub state: i32,
        #[prost(string, tag = "8")]
        pub language: String,
        #[prost(int64, tag = "9")]
        pub since: i64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Archive {
        #[prost(message, repeated, tag = "1")]
        pub users: Vec<User>,
        #[prost(string, tag = "2")]
        pub written_by: String,
    }
}
