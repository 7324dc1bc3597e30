// The contract of the lab as data.

use lab_00_user_service::{FILE_DESCRIPTOR_SET, User, export};
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor,
};
use testkit::Rule;

/// The package of the contract.
pub const PACKAGE: &str = "shop.users.v1";

/// What the `.proto` file says.
pub struct Contract {
    pub pool: DescriptorPool,
}

impl Contract {
    /// The contract that the lab's messages really follow.
    pub fn in_use(rule: &Rule<'_>) -> Self {
        let user = User { id: "u1".to_owned(), ..User::default() };
        let bytes = export(&[user]);
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET);
        let pool = pool.unwrap_or_else(|error| rule.broken("a contract", format_args!("none: {error}")));
        let contract = Self { pool };
        let archive = contract.message(rule, "Archive");
        if let Err(error) = DynamicMessage::decode(archive, &*bytes) {
            rule.broken("an archive follows the contract", format_args!("it does not: {error}"));
        }
        contract
    }

    /// A message of the package.
    pub fn message(&self, rule: &Rule<'_>, name: &str) -> MessageDescriptor {
        let message = self.pool.get_message_by_name(&format!("{PACKAGE}.{name}"));
        message.unwrap_or_else(|| rule.broken(format_args!("a message {PACKAGE}.{name}"), "there is none"))
    }

    /// Every enum of the package, also those inside of messages.
    pub fn enums(&self) -> impl Iterator<Item = EnumDescriptor> {
        self.pool.all_enums().filter(|known| known.package_name() == PACKAGE)
    }
}

/// A field as a contract writes it, such as `repeated User users = 1`. What is optional is not told.
pub fn in_words(field: &FieldDescriptor) -> String {
    let repeated = if field.is_list() { "repeated " } else { "" };
    format!("{repeated}{} {} = {}", type_of(&field.kind()), field.name(), field.number())
}

fn type_of(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.name().to_owned(),
        Kind::Enum(known) => known.name().to_owned(),
        other => format!("{other:?}"),
    }
}
