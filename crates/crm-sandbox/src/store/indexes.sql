-- Lists over all owners go by id, feeds and filters by modification time.
CREATE INDEX location_contacts_by_id ON location_contacts (id);
CREATE INDEX location_contacts_by_change ON location_contacts (modified_on, id);
CREATE INDEX customer_contacts_by_id ON customer_contacts (id);
CREATE INDEX customer_contacts_by_change ON customer_contacts (modified_on, id);
CREATE INDEX booking_contacts_by_id ON booking_contacts (id);
CREATE INDEX contact_methods_by_person ON contact_methods (person_id);
CREATE INDEX relationships_by_entity ON relationships (related_entity_id);
CREATE INDEX customers_by_change ON customers (modified_on, id);
CREATE INDEX locations_by_change ON locations (modified_on, id);
CREATE INDEX locations_by_customer ON locations (customer_id);
