# A classifier that learns on a CPU: ResNet-18 at a quarter of its width, 28 pixels.
#
# For images of one thing each, in folders by class. Set the classes' number as you like: it becomes
# that of the data. Larger images are resized to 28 pixels; flips left to right are drawn, so take
# RandomHorizontalFlip out where that makes another class (digits, letters). The full size is resnet50.

epochs = 8

model = dict(
    type='Classifier',
    data_preprocessor=dict(
        type='ImgDataPreprocessor', mean=[127.5, 127.5, 127.5], std=[64.0, 64.0, 64.0]),
    backbone=dict(
        type='ResNet', depth=18, base_channels=16, num_stages=3, strides=(2, 2, 2), stem='small'),
    head=dict(
        type='LinearHead',
        num_classes=10,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.1)))

train_dataloader = dict(
    batch_size=32,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VemlClassification',
        pipeline=[
            dict(type='Resize', size=[28, 28]),
            dict(type='RandomCrop', size=28, padding=2),
            dict(type='RandomHorizontalFlip', p=0.5),
        ]))
val_dataloader = dict(
    batch_size=64,
    dataset=dict(type='VemlClassification', pipeline=[dict(type='Resize', size=[28, 28])]))

optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.004, weight_decay=0.05))
param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=True, begin=0, end=epochs, T_max=epochs,
         convert_to_iter_based=True),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=4)
default_scope = 'mmengine'
